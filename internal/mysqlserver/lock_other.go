//go:build !unix

package mysqlserver

// lockFile does nothing here: two processes that prepare the same data
// folder do the work twice, and the rename lets one of them win.
func lockFile(string) (unlock func(), err error) { return func() {}, nil }
