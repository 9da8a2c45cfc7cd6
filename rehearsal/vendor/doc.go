// Package vendor plays the vendor of a BI dashboard: somebody else's machine, Debian with its sshd, where tunnels log in to
// accounts that can do nothing else, and where the dashboard finds the database on a port of the loopback. It takes Linux
// and root; elsewhere it is empty.
package vendor
