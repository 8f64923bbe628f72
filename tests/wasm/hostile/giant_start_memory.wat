;; Wants 4 GiB before it begins.
(module (memory (export "memory") 65536) (func (export "run") (i32.store (i32.const -8) (i32.const 1))))
