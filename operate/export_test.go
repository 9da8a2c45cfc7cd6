package operate

// For the tests that compare these with the templates.
var Parts = parts

const (
	BootstrapVersion   = bootstrapVersion
	BootstrapParameter = bootstrapParameter
)
