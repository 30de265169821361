import './styles/main.css'

import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'

import { listenForShortcuts } from './keyboard/shortcuts.ts'
import { applyTheme } from './preferences/theme.ts'
import { queryClient, router } from './router.tsx'
import { listenForMissingParts } from './shell/newer-page.ts'

applyTheme()
listenForShortcuts()
listenForMissingParts()

const element = document.getElementById('root')
if (element === null) throw new Error('index.html has no #root')

createRoot(element).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
