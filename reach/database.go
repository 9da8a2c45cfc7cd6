package reach

import (
	"fmt"
	"slices"
	"strings"
)

// enginePorts are the ports of database engines, by the start of their names ("AWS::RDS::DBInstance", Port,
// CloudFormation Template Reference).
var enginePorts = map[string]int{
	"mysql": 3306, "mariadb": 3306, "aurora-mysql": 3306, "postgres": 5432, "aurora-postgresql": 5432, "oracle": 1521,
	"custom-oracle": 1521, "sqlserver": 1433, "custom-sqlserver": 1433, "db2": 50000,
}

func (n *network) readDatabase(r resource) []*host {
	h := &host{stack: r.stack.id, id: r.id, kind: isDatabase, tier: databaseTier}

	// A replica takes from its source what it does not say ("AWS::RDS::DBInstance", SourceDBInstanceIdentifier).
	origin := r
	if r.has("SourceDBInstanceIdentifier") {
		h.isReplica = true
		source, err := r.text("SourceDBInstanceIdentifier")
		found := slices.IndexFunc(n.world.possible(r.typ), func(s resource) bool {
			return source == s.symbol() || source == s.symbol()+".DBInstanceArn"
		})
		if err != nil || found < 0 {
			h.doubt(r, "the database that it is a replica of is not one of this environment's")
		} else {
			origin = n.world.possible(r.typ)[found]
		}
	}
	if r.has("DBSubnetGroupName") {
		n.liesInGroup(h, r)
	} else {
		n.liesInGroup(h, origin)
	}
	ids, err := r.texts("VPCSecurityGroups")
	n.wear(h, ids, err)
	if r.has("DBClusterIdentifier") || r.has("DBSecurityGroups") {
		h.doubt(r, "clusters and groups outside a VPC are not modelled")
	}
	// Its default depends on the VPC and the subnet group.
	h.public = Reason{Answer: r.truth("PubliclyAccessible", CannotTell), Where: r.symbol()}
	h.ports = []int{databasePort(h, r, origin)}
	return []*host{h}
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
