;; Wants 60 million table entries before it begins.
(module (table 60000000 funcref) (func (export "run")))
