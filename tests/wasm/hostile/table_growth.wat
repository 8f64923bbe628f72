;; Takes a million table entries more, for ever; traps when it gets none.
(module
  (table $t 1 funcref)
  (func (export "run")
    (loop $more
      (if (i32.eq (table.grow $t (ref.null func) (i32.const 1000000)) (i32.const -1)) (then unreachable))
      (br $more))))
