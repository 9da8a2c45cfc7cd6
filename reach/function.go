package reach

// readFunctions reads the Lambda functions that lie in a VPC. They have no address on the internet ("Giving Lambda
// functions access to resources in an Amazon VPC", AWS Lambda Developer Guide), and nobody connects to them.
func (n *network) readFunctions() (hosts []*host) {
	for _, r := range n.world.all("AWS::Lambda::Function") {
		parts, err := r.parts("VpcConfig")
		if err == nil && len(parts) == 0 {
			continue
		}
		h := &host{
			stack: r.stack.id, id: r.id, kind: isFunction, isSource: true, tier: functionTier,
			public: Reason{Answer: No, Where: r.symbol()},
		}
		if err != nil {
			h.doubt(r, "where it lies cannot be told from the templates")
			parts = []properties{{r.stack, "", nil}}
		}
		ids, err := parts[0].texts("SubnetIds")
		if err == nil && len(ids) == 0 && len(h.doubts) == 0 {
			continue
		}
		n.liesIn(h, ids, err)
		worn, err := parts[0].texts("SecurityGroupIds")
		n.wear(h, worn, err)
		hosts = append(hosts, h)
	}
	return hosts
}
