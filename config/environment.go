// Package config turns the untyped JSON of cdk.json's context into one typed,
// validated config for one environment.
//
// It is strict: an unknown key, a wrong type, a missing value and a value that
// AWS, MySQL or SSH would refuse are all errors, and every one of them is
// listed at once with its path, what was found, what was expected and an
// example. What a field means, which values it takes and whether it may be left
// out stands in fields.go; what it is when left out stands in defaults.go.
package config

import "drawbridge/internal/pinned"

// ProductionName is the environment that may never be public and must say
// whether its database is protected against deletion.
const ProductionName = "prod"

// The keys of ReadOnlyUsers which the stacks use themselves: the tunnel's
// vendor logs in as the first, the web app as the second.
const (
	BIUser     = "bi"
	WebAppUser = "webapp"
)

// Environment is the whole config of one environment, as it stands in
// cdk.json's context under environments.<name>. Load fills it; every value in
// it has been checked.
type Environment struct {
	Name         string       `json:"-"` // the key in the environments map
	Architecture Architecture `json:"-"` // of the Lambda, the web app and the hosts; never of the database

	Account           string   `json:"account"` // 12 digits, or "" for wherever the CLI deploys to
	Region            string   `json:"region"`  // "" exactly when Account is ""
	AvailabilityZones []string `json:"availabilityZones"`
	VPCCIDR           string   `json:"vpcCidr"`

	Exposure       Exposure `json:"exposure"`
	DeveloperCIDRs []string `json:"developerCidrs"` // who may reach the database while it is public

	Database      Database                `json:"database"`
	ReadOnlyUsers map[string]ReadOnlyUser `json:"readOnlyUsers"`
	Bastion       Bastion                 `json:"bastion"`
	WebApp        WebApp                  `json:"webapp"`
	Tunnels       []Tunnel                `json:"tunnels"`

	// TunnelKeyGeneration is the number of the key pair that the tunnels log in with. Another number makes another key.
	TunnelKeyGeneration int `json:"tunnelKeyGeneration"`

	// ImageRefresh is the month, YYYY-MM, in which the hosts' images were last looked up. A new value looks them up again.
	ImageRefresh string `json:"imageRefresh"`

	PatchWindow string `json:"patchWindow"` // such as "Sun 03:00" or "daily 03:00", in UTC: see PatchCalendar

	Alarms Alarms `json:"alarms"`
}

// Exposure is the phase of an environment: whether the database can be reached
// from the developers' addresses or from inside the VPC alone.
type Exposure string

const (
	Private Exposure = "private"
	Public  Exposure = "public"
)

// Database describes the RDS instance.
type Database struct {
	Name               string `json:"name"`
	Identifier         string `json:"identifier"` // "" lets CloudFormation choose one
	MasterUsername     string `json:"masterUsername"`
	InstanceClass      string `json:"instanceClass"`
	StorageGiB         int    `json:"storageGiB"`
	MultiAZ            bool   `json:"multiAz"`
	BackupDays         int    `json:"backupDays"`
	ReadReplicas       int    `json:"readReplicas"`
	SampleData         bool   `json:"sampleData"`
	DeletionProtection bool   `json:"deletionProtection"`
}

// ReadOnlyUser is a MySQL user that may SELECT on the named schemas and nothing
// else. Its key in Environment.ReadOnlyUsers is part of logical ids: renaming
// the key makes a new user.
type ReadOnlyUser struct {
	Username       string   `json:"username"`
	Schemas        []string `json:"schemas"`
	Rotate         bool     `json:"rotate"`
	MaxConnections int      `json:"maxConnections"` // MySQL's MAX_USER_CONNECTIONS
}

// Bastion is the jump server.
type Bastion struct {
	SSHCIDRs       []string        `json:"sshCidrs"`
	Administrators []Administrator `json:"administrators"`
	InstanceType   string          `json:"instanceType"`

	// HostKeyGeneration is the number of the SSH host key. Another number makes another key.
	HostKeyGeneration int `json:"hostKeyGeneration"`
}

// Administrator is a person who logs in to the jump server. The JSON form of
// this struct is the value of that person's Systems Manager parameter.
type Administrator struct {
	Name       string   `json:"name"`
	PublicKeys []string `json:"publicKeys"` // "type base64" each: comments are dropped
	Access     Access   `json:"access"`
}

// Access is what an administrator's keys open on the jump server.
type Access string

const (
	Shell      Access = "shell"  // a shell, and the forward to the database
	TunnelOnly Access = "tunnel" // the forward to the database and nothing else
)

// WebApp is the Elastic Beanstalk environment.
type WebApp struct {
	VisitorCIDRs    []string `json:"visitorCidrs"`
	LoadBalanced    bool     `json:"loadBalanced"`
	MinInstances    int      `json:"minInstances"` // with LoadBalanced
	MaxInstances    int      `json:"maxInstances"` // with LoadBalanced
	CertificateARN  string   `json:"certificateArn"`
	PlatformRefresh string   `json:"platformRefresh"` // YYYY-MM; a new value looks the platform up again
	DashboardURL    string   `json:"dashboardUrl"`

	Charts       []pinned.Chart `json:"charts"`       // of the app's dashboard
	EmbedOrigins []string       `json:"embedOrigins"` // sites that may show charts in a frame

	InstanceType string `json:"instanceType"`
}

// Tunnel is one reverse SSH tunnel: the vendor's host listens on its loopback
// port RemotePort and reaches the database through it. What the config leaves out
// and the vendor documents has been filled in.
type Tunnel struct {
	Name       string `json:"name"`
	Vendor     string `json:"vendor"`
	Host       string `json:"host"` // lower case
	Port       int    `json:"port"`
	User       string `json:"user"`
	RemotePort int    `json:"remotePort"`
	HostKey    string `json:"hostKey"` // "type base64"
}

// Alarms says whom CloudWatch alarms are sent to.
type Alarms struct {
	Emails []string `json:"emails"`
}
