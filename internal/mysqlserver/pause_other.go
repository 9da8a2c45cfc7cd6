//go:build !unix

package mysqlserver

import (
	"errors"
	"os"
)

func pause(*os.Process) error  { return errors.New("this system cannot pause a process") }
func resume(*os.Process) error { return nil }
