package vpc

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"drawbridge/rehearsal/cloudformation"
)

// ElasticIP plays AWS::EC2::EIP. Its property InstanceId moves the address, which [VPC.Observe] sees.
type ElasticIP struct{ *VPC }

// Create implements [cloudformation.Provider].
func (p ElasticIP) Create(context.Context, cloudformation.Request) (cloudformation.Resource, error) {
	address, err := p.NewElasticIP()
	if err != nil {
		return cloudformation.Resource{}, err
	}
	return elasticIP(address.String(), "eipalloc-"+strings.ToLower(rand.Text()[:17])), nil
}

// Update implements [cloudformation.Provider].
func (p ElasticIP) Update(ctx context.Context, r cloudformation.Request) (cloudformation.Resource, error) {
	if r.Properties["Domain"] != r.OldProperties["Domain"] {
		return p.Create(ctx, r)
	}
	address, allocation, _ := strings.Cut(r.PhysicalID, " ")
	return elasticIP(address, allocation), nil
}

// Delete implements [cloudformation.Provider]. The address is free when the operation is observed.
func (ElasticIP) Delete(context.Context, cloudformation.Request) error { return nil }

func elasticIP(address, allocation string) cloudformation.Resource {
	return cloudformation.Resource{
		PhysicalID: fmt.Sprintf("%s %s", address, allocation), Ref: address,
		Attributes: map[string]any{"AllocationId": allocation, "PublicIp": address},
	}
}
