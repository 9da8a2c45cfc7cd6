package reach

// tier is a part of the VPC, for the pictures.
type tier string

const (
	publicTier   tier = "public"
	privateTier  tier = "private"
	databaseTier tier = "database"
	functionTier tier = "functions"
)

// tierOf is the tier of a host that is neither a database nor a function: public where packets find a way to the
// internet.
func (n *network) tierOf(h *host) tier {
	for _, s := range h.subnets {
		if s.table == nil {
			continue
		}
		if found, _ := s.table.lookup(everything); found.target == viaInternet {
			return publicTier
		}
	}
	return privateTier
}
