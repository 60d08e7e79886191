package backup

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"gatehouse"
)

// picture is one sealed blob in a list.
type picture struct {
	ID   gatehouse.BlobID
	Size int64
	Sum  Sum
}

// A list is pictures of 56 bytes each, by id: id, size as 8 bytes big-endian, SHA-256.
const (
	pictureSize = 16 + 8 + 32
	listLength  = 500_000 // pictures in one list: 28 MB
	maxLists    = 64      // more are joined, without what the site has deleted since
)

func encodeList(pictures []picture) []byte {
	b := make([]byte, 0, len(pictures)*pictureSize)
	for _, p := range pictures {
		b = append(b, p.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(p.Size))
		b = append(b, p.Sum[:]...)
	}
	return b
}

func decodeList(b []byte) ([]picture, error) {
	if len(b)%pictureSize != 0 {
		return nil, damaged("a list of pictures is cut")
	}
	pictures := make([]picture, 0, len(b)/pictureSize)
	for ; len(b) > 0; b = b[pictureSize:] {
		pictures = append(pictures, picture{ID: gatehouse.BlobID(b[:16]), Size: int64(binary.BigEndian.Uint64(b[16:])), Sum: Sum(b[24:pictureSize])})
	}
	return pictures, nil
}

// readLists gives all pictures of a manifest.
func readLists(ctx context.Context, target gatehouse.ObjectTarget, lists []List) (map[gatehouse.BlobID]picture, error) {
	all := map[gatehouse.BlobID]picture{}
	for _, l := range lists {
		b, err := getSum(ctx, target, listName(l.Sum), l.Sum)
		if err != nil {
			return nil, err
		}
		pictures, err := decodeList(b)
		if err != nil {
			return nil, err
		}
		for _, p := range pictures {
			all[p.ID] = p
		}
	}
	return all, nil
}

// putLists writes pictures as lists.
func (f *Flow) putLists(ctx context.Context, pictures []picture) ([]List, error) {
	slices.SortFunc(pictures, func(a, b picture) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	var lists []List
	for chunk := range slices.Chunk(pictures, listLength) {
		b := encodeList(chunk)
		l := List{Sum: sha256.Sum256(b), Count: len(chunk)}
		if err := f.put(ctx, f.Data, listName(l.Sum), b); err != nil {
			return nil, err
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// getSum reads an object whose digest is known. Errors: backup.damaged, backup.not_found.
func getSum(ctx context.Context, target gatehouse.ObjectTarget, name string, want Sum) ([]byte, error) {
	b, err := target.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(b) != want {
		return nil, gatehouse.Errorf("backup.damaged", "use another backup", "%s is not what was stored", name)
	}
	return b, nil
}

// byID orders pictures of a map.
func byID(all map[gatehouse.BlobID]picture) []picture {
	list := make([]picture, 0, len(all))
	for _, p := range all {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b picture) int { return cmp.Or(bytes.Compare(a.ID[:], b.ID[:])) })
	return list
}
