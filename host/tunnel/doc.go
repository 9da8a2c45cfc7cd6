// Package tunnel keeps up the reverse SSH tunnels through which vendors reach the database: one systemd unit a tunnel, in
// which autossh runs ssh. It also fetches their key, reports whether they are up, and tests what a tunnel needs.
package tunnel
