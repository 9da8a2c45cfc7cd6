package operate

import "time"

func SetCallTimeout(timeout time.Duration) { callTimeout = timeout }

// For the tests that compare these with the templates.
var Parts = parts

const (
	BootstrapVersion   = bootstrapVersion
	BootstrapParameter = bootstrapParameter
)
