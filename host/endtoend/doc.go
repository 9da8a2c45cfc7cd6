// Package endtoend tests the jump server and the tunnel host whole: the synthesized environment is deployed on this
// machine, its instances are machines with systemd, and their user data, sshd, autossh and units are the deployed ones. It
// takes Linux, root and `make test-root`.
package endtoend
