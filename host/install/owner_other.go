//go:build !linux

package install

import (
	"errors"
	"os"
)

func rootAnd(*os.File, string) (changed bool, err error) {
	return false, errors.New("this program sets up hosts that run Linux")
}
