package reach_test

import (
	"strings"
	"testing"

	"drawbridge/reach"
)

func TestAGroupThatNobodyWearsHasARow(t *testing.T) {
	e := small(t)
	e.add("Lab", "Unworn", aGroup, m{"VpcId": m{"Ref": "Vpc"}})
	e.add("Lab", "Other", aGroup, m{"VpcId": m{"Ref": "Vpc"}, "SecurityGroupIngress": []any{ssh("SourceSecurityGroupId", m{"Ref": "Unworn"})}})
	e.set("Lab", instance, "Core", "SecurityGroupIds", []any{m{"Ref": "Other"}})
	isText(t, e.read(), `
small                      Lab/Core  Lab/Edge
                           :22       :22
internet                   no        yes
Lab/Core                   -         yes
Lab/Edge                   no        -
security group Lab/Unworn  yes       ?
? means that the templates do not tell.
`)
	if svg := e.read().SVG(); !strings.Contains(svg, ">security group Lab/Unworn<") {
		t.Error("the picture does not hold the group")
	}
	s := e.read().Sources[3]
	if s.Inside || s.Group != "Lab/Unworn" || len(s.Addresses) > 0 {
		t.Errorf("the source is %+v", s)
	}
}

func TestADoorsOwnGroupAndThoseOfHostsHaveNoRow(t *testing.T) {
	e := small(t)
	e.set("Lab", aGroup, "", "SecurityGroupIngress", nil)
	e.add("Lab", "Own", anIn, with(ssh("SourceSecurityGroupId", m{"Ref": "Group"}), "GroupId", m{"Ref": "Group"}))
	for _, s := range e.read().Sources {
		if s.Group != "" {
			t.Errorf("there is the source %+v", s)
		}
	}
}

func TestAGroupThatNobodyWearsIsLetInPerhapsWhereTheDoorIsNotUnderstood(t *testing.T) {
	e := small(t)
	e.undecide("Lab")
	e.add("Lab", "Hop", anIn, with(ssh("SourceSecurityGroupId", "sg-0123"), "GroupId", m{"Ref": "Group"}))
	e.provided("Lab", "Core", "NobodyKnows")
	found := e.read()
	for to, want := range map[string]reach.Answer{core + ":22": reach.CannotTell, edge + ":22": reach.Yes} {
		if c, ok := found.Cell("security group sg-0123", to); !ok || c.Answer != want {
			t.Errorf("the cell is %+v, and should be %s", c, want)
		}
	}
}
