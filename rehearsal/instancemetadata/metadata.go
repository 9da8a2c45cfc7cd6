package instancemetadata

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, ttl := s.answer(r)
	s.record(r, status)
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Server", "EC2ws")
	if status == http.StatusOK {
		w.Header().Set(ttlHeader, strconv.Itoa(ttl))
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (s *Server) answer(r *http.Request) (status int, body string, ttl int) {
	if r.URL.Path == tokenPath {
		return s.newToken(r)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return http.StatusMethodNotAllowed, "", 0
	}
	ttl, ok := s.admits(r)
	if !ok {
		return http.StatusUnauthorized, "", 0
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/latest/")
	if !ok {
		return http.StatusNotFound, "", 0
	}
	items := s.items()
	if item, ok := items[strings.TrimSuffix(path, "/")]; ok {
		return http.StatusOK, item(), ttl
	}
	if below := list(items, path); len(below) > 0 {
		return http.StatusOK, strings.Join(below, "\n"), ttl
	}
	return http.StatusNotFound, "", 0
}

// list are the names in a folder; folders in it end with a slash.
func list(items map[string]func() string, folder string) (names []string) {
	if folder != "" {
		folder = strings.TrimSuffix(folder, "/") + "/"
	}
	for _, path := range slices.Sorted(maps.Keys(items)) {
		rest, ok := strings.CutPrefix(path, folder)
		if !ok {
			continue
		}
		name, _, deeper := strings.Cut(rest, "/")
		if deeper {
			name += "/"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// items are what can be asked for, below /latest/ ("Instance metadata categories", Amazon EC2 User Guide).
func (s *Server) items() map[string]func() string {
	o := s.options
	text := func(value string) func() string { return func() string { return value } }
	items := map[string]func() string{
		"meta-data/ami-id":                      text(o.ImageID),
		"meta-data/instance-id":                 text(o.InstanceID),
		"meta-data/instance-type":               text(o.InstanceType),
		"meta-data/local-ipv4":                  text(o.PrivateIP),
		"meta-data/placement/availability-zone": text(o.AvailabilityZone),
		"meta-data/placement/region":            text(o.Region),
		"meta-data/services/domain":             text("amazonaws.com"),
		"meta-data/services/partition":          text("aws"),
		"dynamic/instance-identity/document":    s.identity,
	}
	if o.RoleARN != "" {
		items["meta-data/iam/info"] = s.iamInfo
		items["meta-data/iam/security-credentials/"+o.RoleARN[strings.LastIndex(o.RoleARN, "/")+1:]] = s.securityCredentials
	}
	return items
}

// identity is the instance identity document. Its signatures are not played.
func (s *Server) identity() string {
	o := s.options
	return document(map[string]any{
		"accountId": o.AccountID, "architecture": o.Architecture, "availabilityZone": o.AvailabilityZone, "imageId": o.ImageID,
		"instanceId": o.InstanceID, "instanceType": o.InstanceType, "pendingTime": stamp(s.started), "privateIp": o.PrivateIP,
		"region": o.Region, "version": "2017-09-30",
		"billingProducts": nil, "devpayProductCodes": nil, "kernelId": nil, "marketplaceProductCodes": nil, "ramdiskId": nil,
	})
}

func (s *Server) iamInfo() string {
	return document(map[string]any{
		"Code": "Success", "LastUpdated": stamp(s.roleCredentials().issued),
		"InstanceProfileArn": strings.Replace(s.options.RoleARN, ":role/", ":instance-profile/", 1), "InstanceProfileId": "AIPA" + strings.ToUpper(strings.TrimPrefix(s.options.InstanceID, "i-")),
	})
}

func (s *Server) securityCredentials() string {
	c := s.roleCredentials()
	return document(map[string]any{
		"Code": "Success", "LastUpdated": stamp(c.issued), "Type": "AWS-HMAC", "Expiration": stamp(c.expires),
		"AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "Token": c.SessionToken,
	})
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func document(fields map[string]any) string {
	text, _ := json.MarshalIndent(fields, "", "  ") // of texts alone
	return string(text)
}
