package language

import "testing"

func TestOf(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "zh": "zh", "ZH-hant-TW": "zh", "en-GB,en;q=0.9,zh;q=0.1": "en", "en;q=0.4, zh;q=0.6": "zh", "fr, de": "en",
		"fr, zh;q=0.2": "zh", "zh;q=0": "en", "zh;q=nonsense": "en", " zh ; q=1": "zh", ",,;;==": "en",
	} {
		if got := Of(header); got != want {
			t.Errorf("Of(%q) = %s, want %s", header, got, want)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("zh-CN,zh;q=0.9,en;q=0.8")
	f.Add(";q=NaN,zh;q=NaN,en;q=-Inf")
	f.Fuzz(func(t *testing.T, header string) {
		if l := Of(header); !Known(l) {
			t.Errorf("Of(%q) = %q", header, l)
		}
	})
}
