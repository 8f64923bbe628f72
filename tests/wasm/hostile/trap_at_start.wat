;; Traps before anything is called.
(module (func $begin unreachable) (start $begin) (func (export "run")))
