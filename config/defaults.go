package config

import "drawbridge/internal/pinned"

// defaults returns what each struct holds before the JSON is read into it: the
// value of every key that may be left out. Keys that must be given are marked
// so in fields.go and have no default. What a tunnel's vendor fills in stands in
// vendors.go.
func defaults(a Architecture) []any {
	return []any{
		Environment{
			Architecture:      a,
			AvailabilityZones: []string{},
			VPCCIDR:           "10.0.0.0/16",
			Exposure:          Private,
			DeveloperCIDRs:    []string{},
			Database: Database{
				InstanceClass: "db.t4g.micro",
				StorageGiB:    20,
				BackupDays:    1,
			},
			Bastion: Bastion{
				SSHCIDRs:          []string{},
				Administrators:    []Administrator{},
				InstanceType:      a.HostInstanceType(),
				HostKeyGeneration: 1,
			},
			WebApp: WebApp{
				MinInstances: 2,
				MaxInstances: 4,
				Charts:       []pinned.Chart{},
				EmbedOrigins: []string{},
				InstanceType: a.HostInstanceType(),
			},
			Tunnels:             []Tunnel{},
			TunnelKeyGeneration: 1,
			PatchWindow:         "Sun 03:00",
			Alarms:              Alarms{Emails: []string{}},
		},
		// A db.t4g.micro takes about 60 connections: two users of 20 leave
		// a third of them to administrators and to RDS itself.
		ReadOnlyUser{MaxConnections: 20},
		Tunnel{Vendor: genericVendor, Port: 22},
	}
}
