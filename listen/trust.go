package listen

import (
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"gatehouse/internal/language"
)

// TrustPath and CertificatePath are where the page and the certificate are served.
const (
	TrustPath       = "/trust"
	CertificatePath = "/trust/gatehouse-ca.crt"
)

// step is how one kind of device comes to trust an authority.
type step struct{ System, Do string }

var steps = map[string][]step{
	"en": {
		{"iPhone, iPad", "Open the certificate in Safari and allow the profile. Settings → General → VPN & Device Management: install it. Then Settings → General → About → Certificate Trust Settings: switch it on."},
		{"Android", "Settings → Security → More security settings → Encryption & credentials → Install a certificate → CA certificate, and choose the file."},
		{"Windows", "Open the file → Install Certificate → Local Machine → Trusted Root Certification Authorities. Or, as administrator: certutil -addstore Root gatehouse-ca.crt"},
		{"macOS", "Open the file in Keychain Access, double-click it → Trust → Always Trust. Or: sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain gatehouse-ca.crt"},
		{"Debian, Ubuntu", "sudo cp gatehouse-ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates"},
		{"Fedora", "sudo cp gatehouse-ca.crt /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust"},
		{"Firefox", "Settings → Privacy & Security → View Certificates → Authorities → Import, if it does not use the system's."},
	},
	"zh": {
		{"iPhone、iPad", "用 Safari 打开证书并允许下载描述文件。设置 → 通用 → VPN 与设备管理：安装。然后 设置 → 通用 → 关于本机 → 证书信任设置：打开开关。"},
		{"Android", "设置 → 安全 → 更多安全设置 → 加密与凭据 → 安装证书 → CA 证书，选择该文件。"},
		{"Windows", "打开文件 → 安装证书 → 本地计算机 → 受信任的根证书颁发机构。或以管理员身份运行：certutil -addstore Root gatehouse-ca.crt"},
		{"macOS", "用“钥匙串访问”打开文件，双击证书 → 信任 → 始终信任。或运行：sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain gatehouse-ca.crt"},
		{"Debian、Ubuntu", "sudo cp gatehouse-ca.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates"},
		{"Fedora", "sudo cp gatehouse-ca.crt /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust"},
		{"Firefox", "设置 → 隐私与安全 → 查看证书 → 证书颁发机构 → 导入（若未使用系统证书）。"},
	},
}

// Instructions says in text how devices come to trust the authority.
func (a *Authority) Instructions(address string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Get the certificate from %s%s, accepting the browser's warning this once, or copy\nit from here. Install it only if the device shows this SHA-256 fingerprint:\n\n  %s\n\n", address, CertificatePath, a.Fingerprint())
	for _, s := range steps["en"] {
		fmt.Fprintf(&b, "%s\n  %s\n", s.System, s.Do)
	}
	return b.String()
}

//go:embed trust.html
var trustHTML string

var trustPage = template.Must(template.New("trust").Parse(trustHTML))

type words struct{ Title, Warning, Names, Get, Compare string }

var trustWords = map[string]words{
	"en": {"Trust this site's certificate", "Your browser warns until this device trusts the certificate authority of this site. Compare the fingerprint with the one that the administrator gives you (gatehouse tls ca show) before you install anything.",
		"It can vouch for these names only:", "Get the certificate", "SHA-256 fingerprint"},
	"zh": {"信任本站点的证书", "在本设备信任本站点的证书颁发机构之前，浏览器会一直发出警告。安装之前，请先与管理员提供的指纹（gatehouse tls ca show）核对。",
		"它只能为以下名称签发证书：", "下载证书", "SHA-256 指纹"},
}

// Page serves the instructions, in the reader's language.
func (a *Authority) Page(w http.ResponseWriter, r *http.Request) {
	lang := language.Of(r.Header.Get("Accept-Language"))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", lang)
	w.Header().Set("Vary", "Accept-Language")
	// The page was parsed at start and its values are strings: what fails is the connection.
	_ = trustPage.Execute(w, map[string]any{"Lang": lang, "Words": trustWords[lang], "Steps": steps[lang], "Fingerprint": a.Fingerprint(), "Names": a.names, "Path": CertificatePath})
}

// Certificate serves the authority's certificate, as phones like it.
func (a *Authority) Certificate(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-x509-ca-cert")
	w.Header().Set("Content-Disposition", `attachment; filename="gatehouse-ca.crt"`)
	_, _ = w.Write(a.DER())
}
