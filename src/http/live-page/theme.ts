import { setText } from './element.ts'

const themes = ['system', 'light', 'dark'] as const
type Theme = (typeof themes)[number]
const key = 'millrace-theme'

/** Has a button change between the system's colours, light ones and dark ones, and remember which. */
export function followTheme(button: HTMLElement): void {
  let theme = remembered()
  const apply = () => {
    document.documentElement.dataset['theme'] = theme
    setText(button, `Theme: ${theme}`)
  }
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system'
    remember(theme)
    apply()
  })
  apply()
}

// Storage may be forbidden: then nothing is remembered, and all else goes on.
function remembered(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(key)) ?? 'system'
  } catch {
    return 'system'
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(key, theme)
  } catch {
    return
  }
}
