package mysqlserver

import "drawbridge/internal/leftover"

// folderName is what the folders of servers are called, with the process that made them.
const folderName = "mysql"

// Sweep removes the folders of servers whose process was killed. [Start] does it first. Systems other than Linux keep
// them until they clear their temporary files.
func Sweep() error { return leftover.SweepFolders(folderName) }
