;; Takes a page more and writes into it, for ever; traps when it gets none.
(module
  (memory (export "memory") 1)
  (func (export "run")
    (local $at i32)
    (loop $more
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
      (local.set $at (i32.shl (i32.sub (memory.size) (i32.const 1)) (i32.const 16)))
      (i32.store (local.get $at) (i32.const 1))
      (br $more))))
