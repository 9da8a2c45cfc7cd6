//go:build !linux

package mysqltest

import "os/exec"

// dieWithParent does nothing here: a server whose test binary was killed runs
// on until someone stops it.
func dieWithParent(*exec.Cmd) {}
