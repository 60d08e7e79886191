#compdef gatehouse
# gatehouse completion for zsh: source <(gatehouse completion zsh)
_gatehouse() {
    local -a answers
    answers=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ "$answers" == ":file" ]]; then
        _files
    else
        compadd -- "${(@)answers:#}"
    fi
}
if [[ "$funcstack[1]" == "_gatehouse" ]]; then
    _gatehouse "$@"
else
    compdef _gatehouse gatehouse
fi
