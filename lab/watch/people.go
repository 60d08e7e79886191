package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/gallery"
	"gatehouse/vision/face"
	"gatehouse/vision/models"
)

// People is a gallery made of a folder of stills, in memory only.
type People struct {
	gallery *gallery.Gallery
	names   map[gatehouse.SubjectID]string
}

var here = gatehouse.Place{Org: "watch", Site: "watch"}

// LoadPeople makes a gallery of the JPEG and PNG files of a folder: each shows one
// person, whose name is the file's without its ending. Of several faces the one
// that the picture is about counts; warn hears of it. Errors: gallery.folder,
// gallery.empty, gallery.no_face (says which file), image.*, and those of the eyes.
func LoadPeople(ctx context.Context, dir string, eyes gatehouse.Eyes, warn func(format string, args ...any)) (*People, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, gatehouse.Errorf("gallery.folder", "give a folder of stills, one person each, named after the person", "the gallery cannot be read: %w", err)
	}
	e, err := models.Find(models.FaceTemplate)
	if err != nil {
		return nil, err
	}
	p := &People{gallery: gallery.New(e.Dims), names: map[gatehouse.SubjectID]string{}}
	for _, entry := range entries {
		ending := filepath.Ext(entry.Name())
		if entry.IsDir() || !slices.Contains([]string{".jpg", ".jpeg", ".png"}, strings.ToLower(ending)) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, gatehouse.Errorf("gallery.folder", "let this user read the gallery's files", "a still of the gallery cannot be read: %w", err)
		}
		obs, err := eyes.See(ctx, gatehouse.Image{Format: gatehouse.JPEG, Bytes: data}, gatehouse.Look{Faces: true, Templates: true})
		var bad *gatehouse.Error
		if errors.As(err, &bad) && strings.HasPrefix(bad.Code, "image.") {
			return nil, gatehouse.Errorf(bad.Code, "replace or remove it", "the gallery's still %q: %s", entry.Name(), bad.Message)
		} else if err != nil {
			return nil, err
		}
		i := face.Main(obs.Faces, obs.Width, obs.Height)
		if i < 0 || obs.Faces[i].Template == nil {
			return nil, gatehouse.Errorf("gallery.no_face", "use a picture in which the face is large and turned to the camera", "no usable face is in the gallery's still %q", entry.Name())
		}
		if len(obs.Faces) > 1 && warn != nil {
			warn("the gallery's still %q shows %d faces; the main one counts", entry.Name(), len(obs.Faces))
		}
		id := gatehouse.RandomID()
		p.names[id] = strings.TrimSuffix(entry.Name(), ending)
		if err := p.gallery.Add(here, id, gatehouse.RandomID(), obs.Faces[i].Template); err != nil {
			return nil, err
		}
	}
	if len(p.names) == 0 {
		return nil, gatehouse.Errorf("gallery.empty", "put JPEG or PNG stills into it, one person each, named after the person", "there are no stills in the gallery")
	}
	return p, nil
}

// Who returns the name of the person at or above the registry's threshold for a
// gallery of this size, "" for a stranger, and how clear the answer was, 0.5..1. A
// nil gallery knows nobody.
func (p *People) Who(template []float32) (name string, confidence float64) {
	if p == nil {
		return "", 1
	}
	m, ok := p.gallery.Nearest(here, template)
	if !ok {
		return "", 1
	}
	t, sim := float64(models.Threshold(p.gallery.Size(here))), float64(m.Similarity)
	if sim >= t {
		return p.names[m.Subject], min(1, 0.5+0.5*(sim-t)/max(1-t, 1e-6))
	}
	return "", min(1, 0.5+0.5*(t-sim)/t)
}
