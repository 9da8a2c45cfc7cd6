package rehearsal

import (
	"io/fs"
	"os"
	"sync"

	"drawbridge/rehearsal/template"
)

// AssetBucket is the bucket that `cdk bootstrap` makes for assets, of an account and region, as CDK names it unless told
// otherwise.
func AssetBucket(accountID, region string) string {
	return "cdk-hnb659fds-assets-" + accountID + "-" + region
}

// assetFiles are the objects of that bucket: the assets of all stacks that were deployed. Folders, of which the CDK CLI
// makes zip files, are not among them.
type assetFiles struct {
	mu    sync.Mutex
	files map[string]string // paths, by key
}

func (a *assetFiles) add(assets map[string]template.Asset) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, asset := range assets {
		if !asset.Zip {
			a.files[key] = asset.Path
		}
	}
}

// Open implements [fs.FS].
func (a *assetFiles) Open(key string) (fs.File, error) {
	a.mu.Lock()
	path, ok := a.files[key]
	a.mu.Unlock()
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: key, Err: fs.ErrNotExist}
	}
	return os.Open(path)
}
