/**
 * The configuration that holds one ScaleIt application, written out. The variables replace single values of it.
 * docs/scaleit.md shows it.
 */
export const scaleItConfig = `scalers:
  - use: http
    options:
      resources:
        - name: app
          url: http://localhost:8123
          policy:
            minReplicas: 1
            target: { metric: cpu, value: 0.8, tolerance: 0.1, toleranceKind: absolute }
            cooldown: 4s # so long the CPU takes to follow a change
            scaleDown: { stabilizationWindow: 0 }
            flapGuard: { reversals: 0 } # the load itself goes up and down
autoscaler:
  every: 5s
  metrics:
    - use: http-json
      options:
        metrics:
          cpu:
            url: http://localhost:8123/app/status
            path: $.cpu.highPriority
            over: latest
`;
