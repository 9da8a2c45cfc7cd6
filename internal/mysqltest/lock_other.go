//go:build !unix

package mysqltest

// lockFile does nothing here: two test binaries that prepare the same data
// folder do the work twice, and the rename lets one of them win.
func lockFile(string) (unlock func(), err error) { return func() {}, nil }
