package constructs

import "github.com/aws/constructs-go/constructs/v10"

// SampleDataProps says where the sample data goes.
type SampleDataProps struct {
	Function *DatabaseFunction
	Database *Database

	// Schema is the schema that is filled, if it is empty.
	Schema string
}

// SampleData loads the sample data into an empty schema, once. Taking it out of the template leaves the data.
type SampleData struct {
	constructs.Construct
}

// NewSampleData adds SampleData to scope.
func NewSampleData(scope constructs.Construct, id string, props *SampleDataProps) *SampleData {
	d := &SampleData{Construct: constructs.NewConstruct(scope, &id)}
	props.Function.NewResource(d.Construct, "Load", "Custom::SampleData", map[string]any{"Schema": props.Schema}, props.Database.MasterLogin())
	return d
}
