//go:build unix

package operate

import (
	"fmt"
	"syscall"
)

// replace becomes the program. It returns only if that fails.
func replace(program string, args, env []string) error {
	return fmt.Errorf("%s cannot be run: %w", program, syscall.Exec(program, args, env))
}
