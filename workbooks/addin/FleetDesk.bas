Attribute VB_Name = "FleetDesk"
' The buttons of the FleetDesk tab. Each asks FleetDesk to work on the active workbook and shows
' what came of it. Python is found by the environment variable FLEETDESK_PYTHON, else by PATH.
Option Explicit

Public Sub FleetDeskRun(control As IRibbonControl)
    AskFleetDesk "run"
End Sub

Public Sub FleetDeskCheck(control As IRibbonControl)
    AskFleetDesk "check"
End Sub

Public Sub FleetDeskUndo(control As IRibbonControl)
    AskFleetDesk "undo"
End Sub

Public Sub FleetDeskOpenMap(control As IRibbonControl)
    AskFleetDesk "open map"
End Sub

Private Sub AskFleetDesk(action As String)
    Dim shell As Object, answer As String, python As String, command As String
    If ActiveWorkbook Is Nothing Then
        MsgBox "Open a FleetDesk workbook first.", vbInformation, "FleetDesk"
        Exit Sub
    End If
    python = Environ("FLEETDESK_PYTHON")
    If python = "" Then python = "python"
    answer = Environ("TEMP") & "\fleetdesk-answer.txt"
    If Dir(answer) <> "" Then Kill answer
    ' The outer pair of quotes is taken off by cmd itself.
    command = "cmd.exe /C """"" & python & """ -m fleetdesk.apps.excel """ & action & """ """ & _
              ActiveWorkbook.Name & """ """ & answer & """"""
    Set shell = CreateObject("WScript.Shell")
    Application.StatusBar = "FleetDesk: " & action & " ..."
    shell.Run command, 0, True
    Application.StatusBar = False
    If Dir(answer) = "" Then
        MsgBox "FleetDesk did not answer. Set FLEETDESK_PYTHON to the python.exe that has " & _
               "FleetDesk installed.", vbExclamation, "FleetDesk"
    Else
        MsgBox ReadText(answer), vbInformation, "FleetDesk"
        Kill answer
    End If
End Sub

Private Function ReadText(path As String) As String
    Dim stream As Object
    Set stream = CreateObject("ADODB.Stream")
    stream.Charset = "utf-8"
    stream.Open
    stream.LoadFromFile path
    ReadText = stream.ReadText
    stream.Close
End Function
