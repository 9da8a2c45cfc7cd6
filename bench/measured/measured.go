// Package measured says what was measured, and on what.
package measured

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// Commit names the code.
func Commit() string {
	id, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown (this is no git repository)"
	}
	name := strings.TrimSpace(string(id))
	if changed, err := exec.Command("git", "status", "--porcelain").Output(); err != nil || len(changed) > 0 {
		name += " with changes that are not committed"
	}
	return name
}

var modelName = regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`)

// Machine says how many cores of what kind there are.
func Machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if match := modelName.FindSubmatch(text); match != nil {
			model = string(match[1])
		}
	}
	return fmt.Sprintf("%d cores, %s", runtime.NumCPU(), model)
}
