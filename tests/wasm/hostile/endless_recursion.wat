;; Calls itself for ever, with work left to do after each call, so that no compiler makes a loop of it.
(module
  (func $down (param $n i64) (result i64)
    (i64.add (local.get $n) (call $down (i64.add (local.get $n) (i64.const 1)))))
  (func (export "run") (result i64) (call $down (i64.const 0))))
