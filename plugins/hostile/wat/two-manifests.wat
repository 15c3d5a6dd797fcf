;; A component with two modules that both carry a manifest, and none of its own: nobody knows which one counts.
(component
  (core module $m
    (@custom "leasehold:manifest" "{\"manifest\":1,\"name\":\"one\",\"version\":\"0.1.0\",\"kind\":\"command\",\"summary\":\"One.\",\"complete\":false,\"wants\":{\"list\":[],\"read\":[],\"write\":[],\"env\":[]},\"config\":null,\"tools\":[],\"exit\":null}")
    (func (export "run") (result i32) (i32.const 0)))
  (core module $other
    (@custom "leasehold:manifest" "{\"manifest\":1,\"name\":\"two\",\"version\":\"0.1.0\",\"kind\":\"command\",\"summary\":\"Two.\",\"complete\":false,\"wants\":{\"list\":[],\"read\":[],\"write\":[],\"env\":[]},\"config\":null,\"tools\":[],\"exit\":null}"))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $exports)))
