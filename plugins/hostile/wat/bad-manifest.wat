;; A program whose manifest is no JSON.
(module
  (@custom "leasehold:manifest" "{\"manifest\":1,")
  (memory (export "memory") 1)
  (func (export "_start")))
