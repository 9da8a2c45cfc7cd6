// Package jsiiruntime ends the Node process that AWS CDK runs in.
package jsiiruntime

import (
	"os"

	"github.com/aws/jsii-runtime-go"
)

// Close ends the Node process and removes its temporary files. Nothing can be written to os.Stderr afterwards, so it is
// the last thing that a program does.
//
// jsii waits for the process in two places at once, and reports the one that comes second as "Runtime process exited
// abnormally": a false alarm, which would stand below whatever the program really had to say.
func Close() {
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null
	}
	jsii.Close()
}
