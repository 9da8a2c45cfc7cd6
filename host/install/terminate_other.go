//go:build !unix

package install

import "os"

func terminate(p *os.Process) error { return p.Kill() }
