package beanstalk

import "drawbridge/internal/leftover"

// folderName is what the folders of instances and load balancers are called, with the process that made them.
const folderName = "beanstalk"

// Sweep removes the folders of instances and load balancers whose process was killed. [StartInstance] and
// [StartLoadBalancer] do it first.
func Sweep() error { return leftover.SweepFolders(folderName) }
