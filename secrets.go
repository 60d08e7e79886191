package gatehouse

// Secrets gives what `gatehouse secret set` sealed: passwords and keys that other
// programs ask for, and that do not belong into a configuration file.
type Secrets interface {
	// Secret returns the secret of a name ("smtp", "s3", "webhook"); false where none
	// was set. It MUST be asked each time: secrets are changed while the server runs.
	Secret(name string) (Secret, bool)
}
