// Package machine boots whole hosts on this machine, for tests and for the rehearsal: a root file system of Debian under
// an overlay, systemd as its first process in namespaces of its own, and links between hosts that can be pulled. It takes
// Linux and root, and the root file systems that scripts/roots.sh makes; elsewhere it is empty but for [AptProxy].
//
//	network, err := machine.NewNetwork("example")
//	defer network.Close()
//	namespace, err := network.Host("tunnel", "10.0.0.10/24")
//	tunnel, err := machine.Boot(ctx, machine.Options{Name: "tunnel", Root: root, Namespace: namespace})
//	defer tunnel.Close()
//	out, err := tunnel.Run(ctx, nil, "systemctl", "is-system-running")
//
// Everything dies with this process, however it ends. What a killed process leaves on the disk and in the kernel
// ([Sweep]) the next one removes.
//
// A machine is a container, and no wall against somebody who is root in it: run what you would run on this machine.
package machine
