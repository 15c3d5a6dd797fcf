;; Asks for a table of 5,000,000 elements before its first instruction, and does nothing with it.
(module
  (memory (export "memory") 1)
  (table 5000000 funcref)
  (func (export "_start")))
