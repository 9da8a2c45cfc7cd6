package reach

// readFunction reads a Lambda function, which is a host if it lies in a VPC. It has no address on the internet ("Giving
// Lambda functions access to resources in an Amazon VPC", AWS Lambda Developer Guide), and nobody connects to it.
func (n *network) readFunction(r resource) []*host {
	h := &host{
		stack: r.stack.id, id: r.id, kind: isFunction, isSource: true, tier: functionTier,
		public: Reason{Answer: No, Where: r.symbol()},
	}
	parts, err := r.parts("VpcConfig")
	if err != nil {
		h.doubt(r, "where it lies cannot be told from the templates")
		n.liesIn(h, nil, err)
		n.wear(h, nil, err)
		return []*host{h}
	}
	if len(parts) == 0 {
		return nil
	}
	ids, err := parts[0].texts("SubnetIds")
	if err == nil && len(ids) == 0 {
		return nil
	}
	n.liesIn(h, ids, err)
	ids, err = parts[0].texts("SecurityGroupIds")
	n.wear(h, ids, err)
	return []*host{h}
}
