# gatehouse completion for bash: source <(gatehouse completion bash)
_gatehouse() {
    local IFS=$'\n' current="${COMP_WORDS[COMP_CWORD]}" answers
    answers=$("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [ "$answers" = ":file" ]; then
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$current"))
    else
        COMPREPLY=($answers)
    fi
}
complete -F _gatehouse gatehouse
