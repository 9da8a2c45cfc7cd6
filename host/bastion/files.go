package bastion

import (
	"drawbridge/host/bastion/sshd"
	"drawbridge/host/install"
	"drawbridge/host/settings"
)

const again = settings.Program + " setup"

// sysusers makes the groups of the people and the user as whom sshd asks for keys (sysusers.d(5)).
var sysusers = install.File{Path: "/etc/sysusers.d/drawbridge.conf", Mode: 0o644, Content: `# Written by ` + again + `.
g ` + sshd.ShellGroup + ` -
g ` + sshd.TunnelGroup + ` -
u ` + sshd.KeysUser + ` - "Drawbridge answers sshd with keys" / ` + sshd.NoLogin + `
`}

const sudoersPath = "/etc/sudoers.d/drawbridge"

// sudoers lets people with a shell open the mysql client, whose password only root can read, and nothing else. Their
// environment stays behind: it could say where Secrets Manager is.
const sudoers = `# Written by ` + again + `.
Defaults!` + settings.Program + ` env_reset
%` + sshd.ShellGroup + ` ALL=(root) NOPASSWD:NOSETENV: ` + settings.Program + ` mysql, ` + settings.Program + ` mysql *
`

// wrapper is what people call.
var wrapper = install.File{Path: "/usr/local/bin/drawbridge-mysql", Mode: 0o755, Content: `#!/bin/sh
# Written by ` + again + `. Opens the mysql client on the database; all arguments are the client's.
exec /usr/bin/sudo -n -- ` + settings.Program + ` mysql "$@"
`}

// administratorsService does one run. It changes accounts, so it may write below /etc and /home, and kill processes.
var administratorsService = install.Unit{Name: "drawbridge-administrators.service", Content: `# Written by ` + again + `.
[Unit]
Description=Drawbridge: bring the administrators' accounts and keys up to date
Wants=network-online.target
After=network-online.target nss-user-lookup.target

[Service]
Type=oneshot
ExecStart=` + settings.Program + ` administrators
TimeoutStartSec=90s
RuntimeDirectory=drawbridge
RuntimeDirectoryMode=0755
RuntimeDirectoryPreserve=yes

CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_AUDIT_WRITE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/etc /home /var/lib/drawbridge
ReadWritePaths=-/var/mail -/var/spool/mail -/var/log -/run/lock
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
`}

// administratorsTimer runs it at boot, and 20 s after each run.
var administratorsTimer = install.Unit{Name: "drawbridge-administrators.timer", Content: `# Written by ` + again + `.
[Unit]
Description=Drawbridge: bring the administrators' accounts and keys up to date every 20 seconds

[Timer]
OnBootSec=1s
OnUnitInactiveSec=20s
AccuracySec=1s

[Install]
WantedBy=timers.target
`, Start: []string{"drawbridge-administrators.timer"}}
