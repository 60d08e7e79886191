# gatehouse completion for fish: gatehouse completion fish | source
function __gatehouse_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answers ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    if test "$answers" = ":file"
        __fish_complete_path "$current"
    else
        printf '%s\n' $answers
    end
end
complete -c gatehouse -f -a '(__gatehouse_complete)'
