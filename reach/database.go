package reach

import (
	"fmt"
	"strings"
)

// enginePorts are the ports of database engines, by the start of their names ("AWS::RDS::DBInstance", Port,
// CloudFormation Template Reference).
var enginePorts = map[string]int{
	"mysql": 3306, "mariadb": 3306, "aurora-mysql": 3306, "postgres": 5432, "aurora-postgresql": 5432, "oracle": 1521,
	"custom-oracle": 1521, "sqlserver": 1433, "custom-sqlserver": 1433, "db2": 50000,
}

func (n *network) readDatabases() (hosts []*host) {
	instances := map[string]resource{}
	for _, r := range n.world.all("AWS::RDS::DBInstance") {
		instances[r.symbol()] = r
	}
	for _, r := range n.world.all("AWS::RDS::DBInstance") {
		h := &host{stack: r.stack.id, id: r.id, kind: isDatabase, tier: databaseTier}
		hosts = append(hosts, h)

		// A replica takes from its source what it does not say ("AWS::RDS::DBInstance", SourceDBInstanceIdentifier).
		origin := r
		source, err := r.text("SourceDBInstanceIdentifier")
		if s, ok := instances[source]; ok {
			origin = s
		} else if source != "" || err != nil {
			h.doubt(r, "the database that it is a replica of is not one of this environment's")
		}
		group := r
		if !r.has("DBSubnetGroupName") {
			group = origin
		}
		n.liesInGroup(h, group)
		ids, err := r.texts("VPCSecurityGroups")
		n.wear(h, ids, err)
		if r.has("DBClusterIdentifier") || r.has("DBSecurityGroups") {
			h.doubt(r, "clusters and groups outside a VPC are not modelled")
		}
		h.public = publicly(r)
		h.ports = []int{databasePort(h, r, origin)}
	}
	return hosts
}

// isReplica says whether the template makes this database as a replica of another.
func (n *network) isReplica(h *host) bool {
	for _, r := range n.world.all("AWS::RDS::DBInstance") {
		if r.symbol() == h.where() {
			return r.has("SourceDBInstanceIdentifier")
		}
	}
	return false
}

func (n *network) liesInGroup(h *host, r resource) {
	name, err := r.text("DBSubnetGroupName")
	for _, group := range n.world.all("AWS::RDS::DBSubnetGroup") {
		if err == nil && group.symbol() == name {
			ids, err := group.texts("SubnetIds")
			n.liesIn(h, ids, err)
			return
		}
	}
	n.liesIn(h, nil, fmt.Errorf("no subnet group"))
}

// publicly is what PubliclyAccessible says. Its default depends on the VPC and the subnet group.
func publicly(r resource) Reason {
	return Reason{Answer: r.truth("PubliclyAccessible", CannotTell), Where: r.symbol()}
}

func databasePort(h *host, r, origin resource) int {
	for _, from := range []resource{r, origin} {
		port, err := from.number("Port", 0)
		if err != nil {
			h.doubt(r, "its port cannot be told from the templates")
		}
		if port > 0 {
			return port
		}
	}
	engine, _ := origin.text("Engine")
	for start, port := range enginePorts {
		if engine == start || strings.HasPrefix(engine, start+"-") {
			return port
		}
	}
	h.doubt(r, "its port cannot be told from the templates")
	return enginePorts["mysql"]
}

// doubt notes what is not understood about the host alone.
func (h *host) doubt(r resource, text string) {
	h.doubts = append(h.doubts, doubt{Reason{CannotTell, r.typ + ": " + text, r.symbol()}, anything})
}
