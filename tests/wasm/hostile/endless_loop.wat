;; Never comes back: the CPU time limit ends it.
(module (func (export "run") (loop $again (br $again))))
