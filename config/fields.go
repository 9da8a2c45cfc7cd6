package config

// field describes one key of the config: the words that end every error line
// about it, and whether it must be given.
type field struct {
	expected string
	example  string // a value of that form as JSON, with … for the rest of a key
	required bool
}

// optional and required make fields.
func optional(expected, example string) field { return field{expected, example, false} }
func required(expected, example string) field { return field{expected, example, true} }

const (
	aCIDR       = "an IPv4 CIDR block in canonical form"
	aNarrowCIDR = "an IPv4 CIDR block in canonical form, /8 or narrower"
	aPort       = "a port from 1 to 65535"
	aSchema     = "the name of a MySQL schema: 1 to 64 printable characters, of which _, % and \\ count twice, not one of MySQL's own schemas"
	aMonth      = "a month as YYYY-MM "
	aGeneration = "a number from 1 to 1000000; another number makes another "
	anAccount   = `an AWS account id of 12 digits together with "region", or "" for both`
	aRegion     = `an AWS region together with "account", or "" for both`
	aHostType   = "an EC2 instance type, micro or larger, such as t4g.micro for arm64 and t3.micro for x86_64"
)

// environmentFields describes every key of an environment. List indices and
// keys chosen by the user are "*".
var environmentFields = map[string]field{
	"":                    optional("an object that describes the environment", ""),
	"account":             optional(anAccount, `"123456789012"`),
	"region":              optional(aRegion, `"eu-central-1"`),
	"availabilityZones":   optional(`two availability zones of the region, or [] where "region" is ""`, `["eu-central-1a", "eu-central-1b"]`),
	"availabilityZones.*": optional("an availability zone of the region: its name and one letter", `"eu-central-1a"`),
	"vpcCidr":             optional("a private block (RFC 1918) from /16 to /23 in canonical form", `"10.0.0.0/16"`),
	"exposure":            optional(`"private", or "public" while the database is built up outside production`, `"private"`),
	"developerCidrs":      optional("a list of at most 25 CIDR blocks that reach the database while it is public", `["198.51.100.7/32"]`),
	"developerCidrs.*":    optional(aNarrowCIDR, `"198.51.100.7/32"`),

	"database":                    required("an object that describes the RDS instance", `{"name": "monster_teams", "masterUsername": "admin"}`),
	"database.name":               required("1 to 64 letters, digits or underscores that start with a letter and are no word MySQL reserves", `"monster_teams"`),
	"database.identifier":         optional(`1 to 63 letters, digits or single hyphens that start with a letter and do not end with a hyphen, or "" to have one chosen`, `"team-database"`),
	"database.masterUsername":     required("1 to 16 letters or digits that start with a letter and are no word MySQL or RDS reserves", `"admin"`),
	"database.instanceClass":      optional("an RDS instance class, db.<family>.<size>", `"db.t4g.micro"`),
	"database.storageGiB":         optional("a whole number of GiB from 20 to 65536, as gp3 storage takes", `20`),
	"database.multiAz":            optional("true for a standby in the second availability zone, or false", `true`),
	"database.backupDays":         optional("a number of days from 1 to 35", `7`),
	"database.readReplicas":       optional("a number of read replicas from 0 to 15, which the web app and the tunnels then read from", `1`),
	"database.sampleData":         optional("true to load the sample data into an empty database, or false", `true`),
	"database.deletionProtection": optional(`true to have RDS refuse to delete the instance, or false (the environment "prod" must say which)`, `true`),

	"readOnlyUsers": required(`an object of at most 20 users that holds at least "bi" and "webapp"`,
		`{"bi": {"username": "tester", "schemas": ["monster_teams"]}, "webapp": {"username": "webapp", "schemas": ["monster_teams"]}}`),
	"readOnlyUsers.*": optional("an object that describes a read-only MySQL user, under a key of 1 to 20 lower-case letters or digits that starts with a letter",
		`{"username": "tester", "schemas": ["monster_teams"]}`),
	"readOnlyUsers.*.username":       required("a MySQL user name of 1 to 32 printable characters and at most 95 bytes that no other user has", `"tester"`),
	"readOnlyUsers.*.schemas":        required(`a list of at least one schema which the user may read; for "webapp" it holds "database.name"`, `["monster_teams"]`),
	"readOnlyUsers.*.schemas.*":      optional(aSchema, `"monster_teams"`),
	"readOnlyUsers.*.rotate":         optional("true to have the password changed regularly, or false", `true`),
	"readOnlyUsers.*.maxConnections": optional("a number of connections from 1 to 100000", `20`),

	"bastion":                               optional("an object that describes the jump server", `{"sshCidrs": ["198.51.100.7/32"]}`),
	"bastion.sshCidrs":                      optional("a list of at most 25 CIDR blocks that reach the jump server's port 22", `["198.51.100.7/32"]`),
	"bastion.sshCidrs.*":                    optional(aNarrowCIDR, `"198.51.100.7/32"`),
	"bastion.administrators":                optional("a list of at most 100 administrators", `[]`),
	"bastion.administrators.*":              optional("an object that describes an administrator and takes at most 4096 bytes as JSON", `{"name": "malia", "publicKeys": ["ssh-ed25519 AAAA…"], "access": "shell"}`),
	"bastion.administrators.*.name":         required("a Unix account name of 1 to 31 lower-case letters, digits or hyphens that starts with a letter and belongs to nobody else", `"malia"`),
	"bastion.administrators.*.publicKeys":   required("a list of at least one SSH public key", `["ssh-ed25519 AAAA…"]`),
	"bastion.administrators.*.publicKeys.*": optional("the line of a .pub file with an Ed25519, ECDSA or RSA key (3072 bits or more) and nothing before it", `"ssh-ed25519 AAAA…"`),
	"bastion.administrators.*.access":       required(`"shell", or "tunnel" for the forward to the database alone`, `"shell"`),
	"bastion.instanceType":                  optional(aHostType, ""),
	"bastion.hostKeyGeneration":             optional(aGeneration+"SSH host key for the jump server, which everybody who connects must then put into known_hosts", `2`),

	"webapp":                  required("an object that describes the web app", `{"visitorCidrs": ["0.0.0.0/0"], "platformRefresh": "2026-11"}`),
	"webapp.visitorCidrs":     required("a list of at most 25 CIDR blocks that reach the web app", `["0.0.0.0/0"]`),
	"webapp.visitorCidrs.*":   optional(aCIDR, `"0.0.0.0/0"`),
	"webapp.loadBalanced":     optional("true for a load balancer over two availability zones, or false for a single instance", `true`),
	"webapp.minInstances":     optional("with \"loadBalanced\": true, the fewest instances that run, from 1 to 100", `2`),
	"webapp.maxInstances":     optional("with \"loadBalanced\": true, the most instances that run under load, from \"minInstances\" to 100", `4`),
	"webapp.certificateArn":   optional(`the ARN of an ACM certificate in the environment's account and region, with "loadBalanced": true, or ""`, `"arn:aws:acm:eu-central-1:123456789012:certificate/0f0e0d0c-0b0a-0908-0706-050403020100"`),
	"webapp.platformRefresh":  required(aMonth+"(a later month takes the newest platform version)", `"2026-11"`),
	"webapp.dashboardUrl":     optional(`an https address without credentials, or ""`, `"https://bi.example.com/dashboard"`),
	"webapp.charts":           optional("a list of at most 12 charts that the web app's dashboard shows, about 2,400 bytes of JSON together with dashboardUrl and embedOrigins", `[{"title": "Monsters by species", "address": "/tables/monsters/chart?kind=bar&x=species"}]`),
	"webapp.charts.*":         optional("an object with a chart's title and address", `{"title": "Monsters by species", "address": "/tables/monsters/chart?kind=bar&x=species"}`),
	"webapp.charts.*.title":   required("1 to 80 characters", `"Monsters by species"`),
	"webapp.charts.*.address": required("what the browser shows after the host for a chart of the web app, at most 1000 bytes", `"/tables/monsters/chart?kind=bar&x=species"`),
	"webapp.embedOrigins":     optional("a list of at most 20 sites that may show charts of the web app in a frame", `["https://wiki.example.com"]`),
	"webapp.embedOrigins.*":   optional("https:// and the host of a site, in lower case, with its port if it has another than 443", `"https://wiki.example.com"`),
	"webapp.instanceType":     optional(aHostType, ""),

	"tunnels":              optional("a list of at most 20 tunnels, which may be empty", `[]`),
	"tunnels.*":            optional("an object that describes a tunnel to a vendor", `{"name": "bi", "host": "bi.example.com", "user": "tunnel15240", "remotePort": 15240, "hostKey": "ssh-ed25519 AAAA…"}`),
	"tunnels.*.name":       required("1 to 31 lower-case letters, digits or hyphens that start with a letter and, hyphens aside, name no other tunnel", `"bi"`),
	"tunnels.*.vendor":     optional(`"generic", or a vendor whose documented values stand for what is left out: "holistics" or "chartio"`, `"holistics"`),
	"tunnels.*.host":       optional("a DNS name or a public or private IPv4 address, without user, port or scheme", `"bi.example.com"`),
	"tunnels.*.port":       optional(aPort, `22`),
	"tunnels.*.user":       optional("a user name of 1 to 32 letters, digits, dots, hyphens or underscores that starts with a letter or underscore", `"tunnel15240"`),
	"tunnels.*.remotePort": required(aPort+" that no other tunnel to the same host and port has", `15240`),
	"tunnels.*.hostKey":    optional("the vendor's SSH host key: Ed25519, ECDSA or RSA (2048 bits or more), without the host name before it", `"ssh-ed25519 AAAA…"`),

	"tunnelKeyGeneration": optional(aGeneration+"SSH key pair for the tunnels, an earlier one brings the one before back", `2`),

	"imageRefresh": required(aMonth+"(a later month takes the newest images of Amazon Linux 2023 and Debian 13 and so replaces the hosts, whose addresses, keys and users stay)", `"2026-11"`),
	"patchWindow":  optional("a day from Mon to Sun, or daily, and a time as HH:MM in UTC (the hosts install patches then, and restart if those need it)", `"Sun 03:00"`),

	"alarms":          optional("an object that says whom alarms are sent to", `{"emails": []}`),
	"alarms.emails":   optional("a list of at most 20 email addresses", `["oncall@example.com"]`),
	"alarms.emails.*": optional("an email address without a name", `"oncall@example.com"`),
}

// pipelineFields describes every key of the pipeline.
var pipelineFields = map[string]field{
	"":               optional("an object that describes the pipeline", `{"connectionArn": "", "repository": "owner/name", "branch": "main", "environments": ["dev", "prod"]}`),
	"account":        optional(anAccount+" where no environment that it deploys names an account", `"123456789012"`),
	"region":         optional(aRegion, `"eu-central-1"`),
	"connectionArn":  required(`the ARN of a CodeConnections connection, or "" while there is none`, `"arn:aws:codeconnections:eu-central-1:123456789012:connection/0f0e0d0c-0b0a-0908-0706-050403020100"`),
	"repository":     required("the repository as owner/name", `"owner/name"`),
	"branch":         required("the name of a Git branch", `"main"`),
	"environments":   required("a list of at least one environment, in the order of deployment", `["dev", "prod"]`),
	"environments.*": optional("the name of an environment in the config, listed once", `"dev"`),
}
