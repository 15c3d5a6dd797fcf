;; A component that exports nothing that a host could call.
(component
  (core module $m (func (export "f")))
  (core instance (instantiate $m)))
