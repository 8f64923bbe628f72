;; Never becomes ready.
(module (func $begin (loop $again (br $again))) (start $begin) (func (export "run")))
